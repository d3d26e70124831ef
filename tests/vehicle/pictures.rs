//! Pictures of any content: what a camera sends brings nothing down and fills no memory.
use crate::kit::corpus;
use crate::picture_entry_points;

#[test]
fn no_bytes_that_a_camera_can_send_as_a_picture_panic_or_pass_the_limit_of_pixels() {
    for (target, run) in picture_entry_points::TARGETS {
        corpus::run(target, run, 2000);
    }
}
