"""JSON responses rendered once: Pydantic models by their own serialiser, plain data by orjson."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response


class JsonResponse(Response):
    """Respond with a model or with plain data, without a second validation pass."""

    def __init__(
        self,
        content: BaseModel | Mapping[str, Any] | list[Any],
        *,
        status: int = 200,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        exclude_none: bool = False,
    ) -> None:
        if isinstance(content, BaseModel):
            body = content.model_dump_json(exclude_none=exclude_none).encode()
        else:
            body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)
        super().__init__(body, status_code=status, media_type=media_type, headers=dict(headers or {}))
