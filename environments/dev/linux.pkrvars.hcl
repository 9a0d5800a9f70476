hostname = "dev"
