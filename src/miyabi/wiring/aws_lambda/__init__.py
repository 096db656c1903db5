"""The services as AWS Lambda functions: each file's ``handler`` is what Lambda calls.

A function's process (its "execution environment") serves one event at a time and stands still in between; a snapshot of
it may be taken after the imports and started many times (SnapStart). So nothing is opened before the first event, and
nothing is left to run in the background.
"""
