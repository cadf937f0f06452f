"""Running the installation: who is admitted, what is going on, whether it is well."""
