"""Tables in people's files: CSV text or a workbook as trimmed, typed cells that know where they stand in the file."""
