"""What tests share: callers, clocks, running boards."""
