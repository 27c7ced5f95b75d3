# tests of mount
