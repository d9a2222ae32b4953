"""The how-to pages: that their files fit together, and that they do what the pages say."""
