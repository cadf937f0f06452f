"""What a tenant's own programs may read and change, a file a resource."""
