"""Identity sources: where the subject token of an exchange comes from."""
