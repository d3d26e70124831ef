//! Compiles the one C file: libjpeg reports errors by `longjmp`, which only C can catch.

fn main() {
    println!("cargo:rerun-if-changed=picture/decode.c");
    cc::Build::new().file("picture/decode.c").opt_level(2).warnings_into_errors(true).compile("plated_jpeg");
    // After it, because it is what needs it.
    println!("cargo:rustc-link-lib=jpeg");
}
