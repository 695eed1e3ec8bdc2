"""What each cloud allows: role ARNs, buckets, regions, and who the vendor is there."""
