"""How fast Miyabi is: one file per question, each measured beside its goal and a limit or peer in the same run."""
