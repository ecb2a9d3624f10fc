"""Metadata of all tables, with a naming convention so that migrations can name constraints and indexes."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import REAL, BigInteger, DateTime, Identity, MetaData, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

IntKey = Annotated[int, mapped_column(Identity(always=False), primary_key=True)]
BigKey = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Real = Annotated[float, mapped_column(REAL)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """Base class of the mapped tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012  # SQLAlchemy declares it so
