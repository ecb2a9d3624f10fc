"""In service or retired: one rule for lists, counts and pages.

A battery is retired from its ``retired_at``. A string, system or location is retired with the last of its batteries;
one that has no batteries yet is not.
"""


def retired_at_sql(members: str) -> str:
    """Return the instant at which a group of batteries was retired as an SQL expression; null while one is in service.

    ``members`` is an SQL condition on the battery ``o``.
    """
    return (
        "(select case when count(*) = count(o.retired_at) then max(o.retired_at) end "  # noqa: S608  # conditions of the code
        f"from battery o where o.removed_at is null and {members})"
    )


LOCATION_RETIRED_AT = retired_at_sql("o.location_id = l.id")
"""Of the location ``l``."""
SYSTEM_RETIRED_AT = retired_at_sql("o.string_id in (select p.id from string p where p.system_id = y.id)")
"""Of the system ``y``."""
STRING_RETIRED_AT = retired_at_sql("o.string_id = g.id")
"""Of the string ``g``."""
