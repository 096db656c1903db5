"""What a deployment on AWS costs in a month: list prices, a load, and the deployment's settings; no I/O but the table.

``prices`` are what AWS asks, ``load`` is what happens in a month, ``bill`` multiplies, ``ours`` and
``specified`` say what is paid for in each design, ``scale`` finds the settings that a larger load needs.
"""
