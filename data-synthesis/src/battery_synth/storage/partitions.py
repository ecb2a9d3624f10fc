"""Tables split by location and month: the files of one month of one part, each complete or absent."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from battery_synth.storage.files import TableFile

ROWS_PER_GROUP = 1_000_000


@dataclass(slots=True)
class MonthFiles:
    """The files that a part makes for one month."""

    directory: Path
    location_id: str
    month: str
    name: str
    file_format: str
    _files: dict[str, TableFile] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table; ``table`` may name a nested folder."""
        if rows.num_rows == 0:
            return
        if table not in self._files:
            folder = self.directory / table / f"location_id={self.location_id}" / f"month={self.month}"
            self._files[table] = TableFile(folder / f"{self.name}.{self.file_format}", rows.schema)
        self._files[table].add(rows)
        self._waiting[table] = self._waiting.get(table, 0) + rows.num_rows
        if self._waiting[table] >= ROWS_PER_GROUP:
            self._files[table].flush()
            self._waiting[table] = 0

    def finish(self) -> list[dict[str, Any]]:
        """Complete the files; return the manifest's entries."""
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
        """Delete all incomplete files."""
        for file in self._files.values():
            file.discard()
