"""What people and pipelines read: pure functions from an audit report to text."""
