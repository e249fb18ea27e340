"""Where the policies that ship stand."""

from pathlib import Path

POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"
