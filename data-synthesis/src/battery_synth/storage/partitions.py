"""Tables split by location and month: the months of one piece of work, each whole or not there."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from battery_synth.storage.files import TableFile

ROWS_A_GROUP = 1_000_000


@dataclass(slots=True)
class MonthFiles:
    """The files that a piece of work makes of one month."""

    directory: Path
    location_id: str
    month: str
    name: str
    file_format: str
    _files: dict[str, TableFile] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table; ``table`` may name a folder in a folder."""
        if rows.num_rows == 0:
            return
        if table not in self._files:
            folder = self.directory / table / f"location_id={self.location_id}" / f"month={self.month}"
            self._files[table] = TableFile(folder / f"{self.name}.{self.file_format}", rows.schema)
        self._files[table].add(rows)
        self._waiting[table] = self._waiting.get(table, 0) + rows.num_rows
        if self._waiting[table] >= ROWS_A_GROUP:
            self._files[table].flush()
            self._waiting[table] = 0

    def finish(self) -> list[dict[str, Any]]:
        """Complete the files; return the manifest's lines."""
        lines = []
        for table, file in sorted(self._files.items()):
            line = file.finish()
            lines.append(
                {
                    "table": table,
                    "location_id": self.location_id,
                    "month": self.month,
                    "path": str(file.path.relative_to(self.directory)),
                    **line,
                    "bytes": file.path.stat().st_size,
                }
            )
        self._files.clear()
        return lines

    def discard(self) -> None:
        """Leave nothing half behind."""
        for file in self._files.values():
            file.discard()
