"""The exchange's rules: names, trailers, times, receipts, attempts, deadlines. Pure: no I/O, no clock."""
