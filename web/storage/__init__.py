"""What the pages of storage show: places as a treemap, how what is stored grew, and a table as a file."""
