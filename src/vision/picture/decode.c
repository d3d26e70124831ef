/* Decodes a JPEG, or a part of it, by the system's libjpeg-turbo.
 *
 * In C because libjpeg's way out of an error is longjmp over its own frames, and because its
 * structs have the layout that the installed header says. */

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define MAX_STRAY_BYTES 64
#define MAX_PLANES 3
/* Rows of a block of two by two transforms. */
#define MAX_LINES (2 * DCTSIZE)

struct failure {
  struct jpeg_error_mgr base;
  jmp_buf back;
};

static void leave(j_common_ptr info) { longjmp(((struct failure *)info->err)->back, 1); }

/* Damaged data is a warning; the picture is grey from there on. Nothing goes to stderr. */
static void count_warning(j_common_ptr info, int level) {
  /* A few stray bytes between segments harm nothing; many are a part of the picture that was not used. */
  int harmless = info->err->msg_code == JWRN_EXTRANEOUS_DATA && info->err->msg_parm.i[0] <= MAX_STRAY_BYTES;
  if (level < 0 && !harmless) info->err->num_warnings++;
}

/* Reads the header. Errors leave by `failure->back`, which the caller has set. */
static void begin(struct jpeg_decompress_struct *info, const unsigned char *bytes, size_t length) {
  jpeg_create_decompress(info);
  jpeg_mem_src(info, bytes, length);
  jpeg_read_header(info, TRUE);
}

static void report_by(struct failure *error, struct jpeg_decompress_struct *info) {
  memset(info, 0, sizeof *info);
  info->err = jpeg_std_error(&error->base);
  error->base.error_exit = leave;
  error->base.emit_message = count_warning;
}

/* Decodes to 8-bit BGR, shrunk by `shrink` (1, 2, 4 or 8). Of that picture the part `x`, `y`,
 * `width`, `height` is written to `out`, row after row; `full_width` and `full_height` are what
 * the caller knows the unshrunk picture to be. 0 when all is well, 2 when all is decoded but some of
 * the data is damaged, else `message` says why not,
 * in at most JMSG_LENGTH_MAX (200) bytes with the closing zero. */
int plated_jpeg_decode(const unsigned char *bytes, size_t length, unsigned shrink, unsigned full_width,
                       unsigned full_height, unsigned x, unsigned y, unsigned width, unsigned height,
                       unsigned char *out, char *message) {
  struct jpeg_decompress_struct info;
  struct failure error;

  report_by(&error, &info);
  if (setjmp(error.back)) {
    info.err->format_message((j_common_ptr)&info, message);
    jpeg_destroy_decompress(&info);
    return 1;
  }
  begin(&info, bytes, length);
  info.scale_num = 1;
  info.scale_denom = shrink;
  info.out_color_space = JCS_EXT_BGR;
  jpeg_calc_output_dimensions(&info);
  if (info.image_width != full_width || info.image_height != full_height || width == 0 || height == 0 ||
      x > info.output_width || width > info.output_width - x || y > info.output_height ||
      height > info.output_height - y) {
    strcpy(message, "the picture has another size than its header");
    jpeg_destroy_decompress(&info);
    return 1;
  }
  jpeg_start_decompress(&info);
  if (x == 0 && width == info.output_width) {
    if (y > 0) jpeg_skip_scanlines(&info, y);
    while (info.output_scanline < y + height) {
      JSAMPROW row = out + (size_t)(info.output_scanline - y) * width * 3;
      jpeg_read_scanlines(&info, &row, 1);
    }
  } else {
    /* Columns come in whole blocks: a little more to the left than was asked for. */
    JDIMENSION from = x, columns = width;
    JSAMPROW row;
    jpeg_crop_scanline(&info, &from, &columns);
    row = (*info.mem->alloc_small)((j_common_ptr)&info, JPOOL_IMAGE, (size_t)columns * 3);
    if (y > 0) jpeg_skip_scanlines(&info, y);
    while (info.output_scanline < y + height) {
      unsigned char *to = out + (size_t)(info.output_scanline - y) * width * 3;
      jpeg_read_scanlines(&info, &row, 1);
      memcpy(to, row + (size_t)(x - from) * 3, (size_t)width * 3);
    }
  }
  /* To its end marker, if all of it was wanted: what is left over before that tells of damage. */
  if (info.output_scanline == info.output_height) jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return error.base.num_warnings > 0 ? 2 : 0;
}

/* Decodes all of it and leaves brightness and the two colours apart, as they are in the file:
 * `planes[0]` has `stride` bytes a row, `planes[1]` and `planes[2]` have as many over `columns`, and
 * rows fewer by `rows`. All have room for whole blocks of 16 × 16 pixels. A grey picture has
 * `columns` 0 and one plane. 0, 1, 2 and `message` as above; 3 when the three are not brightness and
 * colours, or not of these sizes, so that it has to be decoded in another way. */
int plated_jpeg_planes(const unsigned char *bytes, size_t length, unsigned full_width, unsigned full_height,
                       unsigned columns, unsigned rows, size_t stride, unsigned char *const planes[MAX_PLANES],
                       char *message) {
  struct jpeg_decompress_struct info;
  struct failure error;
  JSAMPROW lines[MAX_PLANES][MAX_LINES];
  JSAMPARRAY group[MAX_PLANES] = {lines[0], lines[1], lines[2]};
  int count = columns == 0 ? 1 : MAX_PLANES;
  JDIMENSION done;

  report_by(&error, &info);
  if (setjmp(error.back)) {
    info.err->format_message((j_common_ptr)&info, message);
    jpeg_destroy_decompress(&info);
    return 1;
  }
  begin(&info, bytes, length);
  int fits = info.num_components == count && info.image_width == full_width && info.image_height == full_height &&
             info.jpeg_color_space == (count == 1 ? JCS_GRAYSCALE : JCS_YCbCr) && full_width <= stride;
  for (int i = 0; fits && i < count; i++) {
    const jpeg_component_info *plane = &info.comp_info[i];
    int across = i == 0 ? 1 : (int)columns, down = i == 0 ? 1 : (int)rows;
    fits = plane->h_samp_factor * across == info.max_h_samp_factor && plane->v_samp_factor * down == info.max_v_samp_factor &&
           info.max_h_samp_factor <= 2 && info.max_v_samp_factor <= 2;
  }
  if (!fits) {
    jpeg_destroy_decompress(&info);
    return 3;
  }
  info.raw_data_out = TRUE;
  info.do_fancy_upsampling = FALSE;
  jpeg_start_decompress(&info);
  for (done = 0; done < info.output_height; done += (JDIMENSION)info.max_v_samp_factor * DCTSIZE) {
    for (int i = 0; i < count; i++) {
      size_t wide = i == 0 ? stride : stride / columns, first = i == 0 ? done : done / rows;
      for (int line = 0; line < info.comp_info[i].v_samp_factor * DCTSIZE; line++)
        lines[i][line] = planes[i] + (first + (size_t)line) * wide;
    }
    jpeg_read_raw_data(&info, group, (JDIMENSION)info.max_v_samp_factor * DCTSIZE);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return error.base.num_warnings > 0 ? 2 : 0;
}
