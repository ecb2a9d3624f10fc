"""Ids of the fleet in the paths of endpoints."""

from typing import Annotated

from fastapi import Path

LocationPath = Annotated[str, Path(description="Id of the location.", examples=["DC-CNX-01"])]
SystemPath = Annotated[str, Path(description="Id of the battery system.", examples=["DC-CNX-01-UPS-01"])]
StringPath = Annotated[str, Path(description="Id of the string.", examples=["DC-CNX-01-UPS-01-STR-01"])]
BatteryPath = Annotated[str, Path(description="Id of the battery.", examples=["BAT-DC-CNX-01-UPS-01-STR-01-001"])]
