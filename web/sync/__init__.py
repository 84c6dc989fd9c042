"""What the pages of sync show: rules and their forms, runs, and what stands in a repository because of them."""
