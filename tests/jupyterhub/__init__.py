"""hooks/jupyterhub: a real hub on loopback with real servers, and the forge that they exchange through."""
