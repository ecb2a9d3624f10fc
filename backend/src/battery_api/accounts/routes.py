"""Endpoints of accounts: sessions, users, API keys and the audit log."""

import contextlib

from fastapi import APIRouter, Request, Response

from battery_api.accounts import repository
from battery_api.accounts.administration import Administration, key_out
from battery_api.accounts.audit import list_audit
from battery_api.accounts.deps import AdminDep, AuthenticatorDep, ViewerDep
from battery_api.accounts.errors import (
    ApiKeyNotFound,
    BadCredentials,
    KeyNameTaken,
    NotAuthenticated,
    NotOnYourself,
    RefreshRefused,
    TooManyAttempts,
    UnknownLocation,
    UsernameTaken,
    UserNotFound,
    WeakPassword,
)
from battery_api.accounts.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyOut,
    AuditEntry,
    ChangePasswordRequest,
    LoginRequest,
    RefreshRequest,
    SessionOut,
    UserCreate,
    UserOut,
    UserUpdate,
)
from battery_api.accounts.service import Caller, SessionService, user_out
from battery_api.accounts.throttle import client_address
from battery_api.context import ContextDep, ProcessContext
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse

router = APIRouter(prefix="/auth", tags=["auth"])
COOKIE = "battery_refresh"
_COOKIE_PATH = "/api/v1/auth"


@router.post("/login", response_model=SessionOut, responses=problems(BadCredentials, TooManyAttempts))
async def login(body: LoginRequest, request: Request, context: ContextDep, authenticator: AuthenticatorDep) -> Response:
    """Open a session. With `session: "cookie"` the refresh token goes into an HttpOnly cookie only."""
    service = SessionService(context, authenticator)
    opened = await service.login(body.username, body.password, _caller(request, context))
    return _session_response(opened, context, in_cookie=body.session == "cookie")


@router.post("/refresh", response_model=SessionOut, responses=problems(RefreshRefused))
async def refresh(
    request: Request, context: ContextDep, authenticator: AuthenticatorDep, body: RefreshRequest | None = None
) -> Response:
    """Exchange a refresh token (body or cookie) for a new pair; the old one is used up."""
    given = body.refresh_token if body else None
    service = SessionService(context, authenticator)
    opened = await service.refresh(given or request.cookies.get(COOKIE), _caller(request, context))
    return _session_response(opened, context, in_cookie=given is None)


@router.post("/logout", status_code=204)
async def logout(request: Request, context: ContextDep, authenticator: AuthenticatorDep) -> Response:
    """End the session on the server; works with either token, and twice."""
    service = SessionService(context, authenticator)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        # A session that has ended already is what the caller wants.
        with contextlib.suppress(NotAuthenticated):
            await service.logout(await authenticator.authenticate_token(token.strip(), ignore_expiry=True))
    cookie = request.cookies.get(COOKIE)
    if cookie:
        await service.logout_by_refresh_token(cookie)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=_COOKIE_PATH)
    return response


@router.get("/me", response_model=UserOut)
async def get_me(context: ContextDep, principal: ViewerDep) -> Response:
    """Return the caller's own account."""
    assert principal.user_id is not None
    async with context.database.begin() as connection:
        user = await repository.find_user(connection, principal.user_id)
    if user is None:
        raise NotAuthenticated("This account no longer exists.")
    return JsonResponse(user_out(user))


@router.post("/change-password", status_code=204, responses=problems(BadCredentials, WeakPassword))
async def change_password(
    body: ChangePasswordRequest, context: ContextDep, principal: ViewerDep, authenticator: AuthenticatorDep
) -> Response:
    """Change your password; every session ends, this one too."""
    await SessionService(context, authenticator).change_password(principal, body.current_password, body.new_password)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=_COOKIE_PATH)
    return response


@router.get("/users", response_model=Page[UserOut])
async def list_users(context: ContextDep, _: AdminDep, page: PageQuery) -> Response:
    """List users."""
    async with context.database.begin() as connection:
        rows, total = await repository.list_users(connection, skip=page.skip, limit=page.limit)
    return JsonResponse(Page(items=[user_out(row) for row in rows], total=total, skip=page.skip, limit=page.limit))


@router.post(
    "/users",
    response_model=UserOut,
    status_code=201,
    responses=problems(UsernameTaken, WeakPassword, UnknownLocation),
)
async def create_user(
    body: UserCreate, context: ContextDep, actor: AdminDep, authenticator: AuthenticatorDep
) -> Response:
    """Create a user."""
    return JsonResponse(await Administration(context, authenticator, actor).create_user(body), status=201)


@router.get("/users/{user_id}", response_model=UserOut, responses=problems(UserNotFound))
async def get_user(user_id: int, context: ContextDep, _: AdminDep) -> Response:
    """Return one user."""
    async with context.database.begin() as connection:
        user = await repository.find_user(connection, user_id)
    if user is None:
        raise UserNotFound(f"No user {user_id}.")
    return JsonResponse(user_out(user))


@router.patch(
    "/users/{user_id}",
    response_model=UserOut,
    responses=problems(UserNotFound, NotOnYourself, WeakPassword, UnknownLocation),
)
async def update_user(
    user_id: int, body: UserUpdate, context: ContextDep, actor: AdminDep, authenticator: AuthenticatorDep
) -> Response:
    """Change a user; a change of rights ends the user's sessions."""
    return JsonResponse(await Administration(context, authenticator, actor).update_user(user_id, body))


@router.delete("/users/{user_id}", status_code=204, responses=problems(UserNotFound, NotOnYourself))
async def delete_user(user_id: int, context: ContextDep, actor: AdminDep, authenticator: AuthenticatorDep) -> Response:
    """Delete a user; what he did stays on record."""
    await Administration(context, authenticator, actor).delete_user(user_id)
    return Response(status_code=204)


@router.get("/api-keys", response_model=Page[ApiKeyOut])
async def list_api_keys(context: ContextDep, _: AdminDep, page: PageQuery) -> Response:
    """List API keys, revoked ones included."""
    async with context.database.begin() as connection:
        rows, total = await repository.list_keys(connection, skip=page.skip, limit=page.limit)
    return JsonResponse(Page(items=[key_out(row) for row in rows], total=total, skip=page.skip, limit=page.limit))


@router.post(
    "/api-keys", response_model=ApiKeyCreated, status_code=201, responses=problems(KeyNameTaken, UnknownLocation)
)
async def create_api_key(
    body: ApiKeyCreate, context: ContextDep, actor: AdminDep, authenticator: AuthenticatorDep
) -> Response:
    """Create an API key; the answer shows its secret this once."""
    return JsonResponse(await Administration(context, authenticator, actor).create_key(body), status=201)


@router.delete("/api-keys/{key_id}", status_code=204, responses=problems(ApiKeyNotFound))
async def revoke_api_key(
    key_id: int, context: ContextDep, actor: AdminDep, authenticator: AuthenticatorDep
) -> Response:
    """Revoke an API key."""
    await Administration(context, authenticator, actor).revoke_key(key_id)
    return Response(status_code=204)


@router.get("/audit", response_model=Page[AuditEntry])
async def list_audit_log(context: ContextDep, _: AdminDep, page: PageQuery) -> Response:
    """List the audit log, newest first."""
    async with context.database.begin() as connection:
        rows, total = await list_audit(connection, skip=page.skip, limit=page.limit)
    names = set(AuditEntry.model_fields) - {"audit_id"}
    items = [AuditEntry(audit_id=row["id"], **{name: row[name] for name in names}) for row in rows]
    return JsonResponse(Page(items=items, total=total, skip=page.skip, limit=page.limit))


def _caller(request: Request, context: ProcessContext) -> Caller:
    return Caller(client_address(request, context.settings), request.headers.get("user-agent"))


def _session_response(opened: SessionOut, context: ProcessContext, *, in_cookie: bool) -> Response:
    if not in_cookie:
        return JsonResponse(opened)
    response = JsonResponse(opened.model_copy(update={"refresh_token": None}))
    response.set_cookie(
        COOKIE,
        opened.refresh_token or "",
        max_age=context.settings.refresh_token_days * 86_400,
        path=_COOKIE_PATH,
        secure=context.settings.cookie_secure,
        httponly=True,
        # Strict keeps the cookie off every request that another site starts, so it needs no second token.
        samesite="strict",
    )
    return response
