"""``auditor certs``: the commands (``commands``, ``delivery_commands``), and what they do (``making``, ``delivering``, ``showing``)."""
