# tests of sig
