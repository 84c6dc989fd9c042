"""The sweep by commands that whoever runs Berth has set up: read-only on, `garbage-collect`, read-only off.

ways, output, standing → commanding, weighing → policy → closing → steps → running → services
"""
