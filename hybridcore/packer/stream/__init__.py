"""What Packer prints and writes: typed events, the outcome they tell, the log, the manifest."""
