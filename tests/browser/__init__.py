"""nbgrader's own pages in a real browser: JupyterLab with our plugin, an instructor and students, a forge."""
