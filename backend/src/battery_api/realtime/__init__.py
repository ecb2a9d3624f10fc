"""Live push to browsers over Socket.IO."""
