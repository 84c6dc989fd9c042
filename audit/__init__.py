"""Who did what: values only, no keys into other tables, since these rows outlive what they name."""
