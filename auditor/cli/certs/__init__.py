"""
``auditor certs``.

The commands stand in ``commands`` and ``delivery_commands``; what they do in ``making``, ``delivering``, ``installing``, ``showing``.
"""
