"""Live updates to browsers over Socket.IO."""
