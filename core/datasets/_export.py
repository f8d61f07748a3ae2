"""The writer of CSV under the names that it has here as well."""

from core.spreadsheet import spreadsheet_text, write_csv

__all__ = ["spreadsheet_text", "write_csv"]
