"""What is wrong in scripts, policy documents and pages about connections."""
