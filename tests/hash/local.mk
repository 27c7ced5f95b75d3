# tests of hash
