//! The scn command line.
