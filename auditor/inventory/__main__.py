"""Prints the JSON Schema of an inventory: ``python -m auditor.inventory``."""

import json
import sys

from auditor.inventory import schema

sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
