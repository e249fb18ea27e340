"""Import of registers: spreadsheets, CSV and JSON lines, by a declarative mapping file."""
