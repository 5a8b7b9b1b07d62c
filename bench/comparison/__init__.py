"""What bench/compare is made of. Start at cases.py."""
