"""Endpoints of accounts: sessions, users, API keys and the audit log."""

import contextlib
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from battery_api.accounts import repository
from battery_api.accounts.access import COOKIE, EITHER_TOKEN, REFRESH_COOKIE
from battery_api.accounts.addresses import client_address
from battery_api.accounts.administration import Administration
from battery_api.accounts.deps import COUNTED, AdminDep, AuthenticatorDep, ViewerDep
from battery_api.accounts.errors import (
    ApiKeyNotFound,
    BadCredentials,
    ExpiryInThePast,
    ExpiryTooLate,
    KeyNameTaken,
    LastAdmin,
    NotAuthenticated,
    NotOnYourself,
    OwnerUnsuitable,
    RefreshRefused,
    TooManyAttempts,
    UnknownLocation,
    UsernameTaken,
    UserNotFound,
    WeakPassword,
)
from battery_api.accounts.key_administration import KeyAdministration
from battery_api.accounts.principal import Forbidden
from battery_api.accounts.repository import StoredAuditEntry
from battery_api.accounts.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyHandOver,
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
from battery_api.accounts.throttle import FAMILIAR_FOR
from battery_api.context import ContextDep, ProcessContext
from battery_servicekit.openapi.marks import admits
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import problems
from battery_servicekit.responses import JsonResponse
from battery_servicekit.settings import Environment
from battery_servicekit.strict_query import StrictRoute

router = APIRouter(prefix="/auth", tags=["auth"], route_class=StrictRoute)
DEVICE_COOKIE = "battery_device"
_MAX_DEVICE_LENGTH = 100
_COOKIE_PATH = "/api/v1/auth"
_LARGEST_KEY = 2**31 - 1
UserKey = Annotated[int, Path(ge=1, le=_LARGEST_KEY, description="Number of the user.", examples=[7])]
ApiKeyKey = Annotated[int, Path(ge=1, le=_LARGEST_KEY, description="Number of the API key.", examples=[3])]


def _caller(request: Request, context: ContextDep) -> Caller:
    device = request.cookies.get(DEVICE_COOKIE, "")
    return Caller(
        client_address(request, context.settings),
        request.headers.get("user-agent"),
        device if 0 < len(device) <= _MAX_DEVICE_LENGTH else None,
    )


def _sessions(context: ContextDep, authenticator: AuthenticatorDep) -> SessionService:
    return SessionService(context, authenticator)


@admits(REFRESH_COOKIE)
def _refresh_cookie(request: Request) -> str | None:
    return request.cookies.get(COOKIE)


@admits(EITHER_TOKEN)
def _ending_tokens(request: Request) -> tuple[str | None, str | None]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    access_token = token.strip() if scheme.lower() == "bearer" and token else None
    return access_token, request.cookies.get(COOKIE)


RefreshCookie = Annotated[str | None, Depends(_refresh_cookie)]
EndingTokens = Annotated[tuple[str | None, str | None], Depends(_ending_tokens)]
CallerDep = Annotated[Caller, Depends(_caller)]
SessionsDep = Annotated[SessionService, Depends(_sessions)]


def _administration(
    context: ContextDep, authenticator: AuthenticatorDep, actor: AdminDep, caller: CallerDep
) -> Administration:
    return Administration(context, authenticator, actor, caller.address)


def _keys(
    context: ContextDep, authenticator: AuthenticatorDep, actor: AdminDep, caller: CallerDep
) -> KeyAdministration:
    return KeyAdministration(context, authenticator, actor, caller.address)


AdministrationDep = Annotated[Administration, Depends(_administration)]
KeysDep = Annotated[KeyAdministration, Depends(_keys)]


@router.post(
    "/login", response_model=SessionOut, responses=problems(BadCredentials, TooManyAttempts), dependencies=[COUNTED]
)
async def login(body: LoginRequest, context: ContextDep, sessions: SessionsDep, caller: CallerDep) -> Response:
    """Open a session. With `session: "cookie"` the refresh token is returned only in an HttpOnly cookie.

    After failed logins the answer is 429 with `Retry-After`, which doubles each time up to 60 s, or up to 300 s for a
    device that this user has not logged in from while others guess at the name. The cookie `battery_device` marks a
    known device.
    """
    opened = await sessions.login(body.username, body.password, caller)
    response = _session_response(opened.session, context, in_cookie=body.session == "cookie")
    # It opens nothing: it only spares its bearer the delays that strangers cause.
    _set_cookie(response, context, DEVICE_COOKIE, opened.device, max_age_s=int(FAMILIAR_FOR.total_seconds()))
    return response


@router.post("/refresh", response_model=SessionOut, responses=problems(RefreshRefused), dependencies=[COUNTED])
async def refresh(
    cookie: RefreshCookie,
    context: ContextDep,
    sessions: SessionsDep,
    caller: CallerDep,
    body: RefreshRequest | None = None,
) -> Response:
    """Exchange a refresh token (body or cookie) for a new pair; each token can be used once.

    Sending the same token again within 10 seconds (a second tab, a lost response) returns the same successor; later it
    ends the session, since somebody must have copied it.
    """
    from_body = body.refresh_token if body else None
    session = await sessions.refresh(from_body or cookie, caller)
    return _session_response(session, context, in_cookie=from_body is None)


@router.post("/logout", status_code=204, dependencies=[COUNTED])
async def logout(
    tokens: EndingTokens,
    context: ContextDep,
    authenticator: AuthenticatorDep,
    sessions: SessionsDep,
    caller: CallerDep,
) -> Response:
    """End the session on the server; either token identifies it, and repeating the call is safe."""
    access_token, cookie = tokens
    if access_token is not None:
        # The session has ended already, which is what the caller wants.
        with contextlib.suppress(NotAuthenticated):
            await sessions.logout(await authenticator.authenticate_token(access_token, ignore_expiry=True), caller)
    if cookie:
        await sessions.logout_by_refresh_token(cookie, caller)
    response = Response(status_code=204)
    response.delete_cookie(
        COOKIE, path=_COOKIE_PATH, secure=_cookie_is_secure(context), httponly=True, samesite="strict"
    )
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


@router.post("/change-password", status_code=204, responses=problems(BadCredentials, WeakPassword, TooManyAttempts))
async def change_password(
    body: ChangePasswordRequest, principal: ViewerDep, sessions: SessionsDep, caller: CallerDep
) -> Response:
    """Change your password; all your other sessions end."""
    await sessions.change_password(principal, body.current_password, body.new_password, caller)
    return Response(status_code=204)


@router.get("/users", response_model=Page[UserOut])
async def list_users(administration: AdministrationDep, page: PageQuery) -> Response:
    """List the users within your locations."""
    return JsonResponse(await administration.list_users(page))


@router.post(
    "/users",
    response_model=UserOut,
    status_code=201,
    responses=problems(UsernameTaken, WeakPassword, UnknownLocation),
)
async def create_user(body: UserCreate, administration: AdministrationDep) -> Response:
    """Create a user."""
    return JsonResponse(await administration.create_user(body), status=201)


@router.get("/users/{user_id}", response_model=UserOut, responses=problems(UserNotFound))
async def get_user(user_id: UserKey, administration: AdministrationDep) -> Response:
    """Return one user."""
    return JsonResponse(await administration.get_user(user_id))


@router.patch(
    "/users/{user_id}",
    response_model=UserOut,
    responses=problems(UserNotFound, NotOnYourself, LastAdmin, WeakPassword, UnknownLocation),
)
async def update_user(user_id: UserKey, body: UserUpdate, administration: AdministrationDep) -> Response:
    """Change a user; new rights apply within seconds, and a new password or deactivation ends the user's sessions."""
    return JsonResponse(await administration.update_user(user_id, body))


@router.delete("/users/{user_id}", status_code=204, responses=problems(UserNotFound, NotOnYourself, LastAdmin))
async def delete_user(user_id: UserKey, administration: AdministrationDep) -> Response:
    """Delete a user; the audit log keeps a record of their actions."""
    await administration.delete_user(user_id)
    return Response(status_code=204)


@router.get("/api-keys", response_model=Page[ApiKeyOut])
async def list_api_keys(keys: KeysDep, page: PageQuery) -> Response:
    """List API keys, including revoked ones."""
    return JsonResponse(await keys.list_keys(page))


@router.post(
    "/api-keys",
    response_model=ApiKeyCreated,
    status_code=201,
    responses=problems(KeyNameTaken, UnknownLocation, ExpiryInThePast, ExpiryTooLate),
)
async def create_api_key(body: ApiKeyCreate, keys: KeysDep) -> Response:
    """Create an API key; only this response shows its secret."""
    return JsonResponse(await keys.create_key(body), status=201)


@router.post(
    "/api-keys/{key_id}/hand-over", response_model=ApiKeyOut, responses=problems(ApiKeyNotFound, OwnerUnsuitable)
)
async def hand_over_api_key(key_id: ApiKeyKey, keys: KeysDep, body: ApiKeyHandOver | None = None) -> Response:
    """Give an API key to another administrator, by default yourself; it ends with its owner."""
    return JsonResponse(await keys.hand_over_key(key_id, body.user_id if body else None))


@router.delete("/api-keys/{key_id}", status_code=204, responses=problems(ApiKeyNotFound))
async def revoke_api_key(key_id: ApiKeyKey, keys: KeysDep) -> Response:
    """Revoke an API key."""
    await keys.revoke_key(key_id)
    return Response(status_code=204)


@router.get("/audit", response_model=Page[AuditEntry])
async def list_audit_log(context: ContextDep, principal: AdminDep, page: PageQuery) -> Response:
    """List the audit log, newest first."""
    if principal.location_codes is not None:
        raise Forbidden("The audit log covers every location, and your account is restricted to some.")
    async with context.database.begin() as connection:
        entries, total = await repository.list_audit_entries(connection, skip=page.skip, limit=page.limit)
    items = [_audit_entry(entry) for entry in entries]
    return JsonResponse(Page(items=items, total=total, skip=page.skip, limit=page.limit))


def _audit_entry(entry: StoredAuditEntry) -> AuditEntry:
    return AuditEntry(
        audit_id=entry.id,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        address=entry.address,
        request_id=entry.request_id,
        data=entry.data,
    )


def _session_response(session: SessionOut, context: ProcessContext, *, in_cookie: bool) -> Response:
    if not in_cookie:
        return JsonResponse(session)
    response = JsonResponse(session.model_copy(update={"refresh_token": None}))
    lifetime_s = context.settings.refresh_token_days * 86_400
    _set_cookie(response, context, COOKIE, session.refresh_token or "", max_age_s=lifetime_s)
    return response


def _set_cookie(response: Response, context: ProcessContext, name: str, value: str, *, max_age_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path=_COOKIE_PATH,
        secure=_cookie_is_secure(context),
        httponly=True,
        # Strict keeps the cookie off every request that another web site starts, and only our own origins can read the
        # response of a refresh, so no second token against forged requests is needed.
        samesite="strict",
    )


def _cookie_is_secure(context: ProcessContext) -> bool:
    chosen = context.settings.cookie_secure
    return context.settings.environment is Environment.PRODUCTION if chosen is None else chosen
