"""Printed backgrounds of particular designs: BACKDROPS names them for the `art` field in states.py.

A crop is read at 160x48 pixels, so a scene is a few flat shapes: the right colour in the right place.
Coordinates are fractions of the plate's width and height, y down.
"""
import cv2
import numpy as np

from . import art
from .canvas import Canvas


def mo_outline(c):  # 2008: pale blue, the state's border behind the serial, a bluebird below
    c.sky((0, "B8C8D8"), (.4, "E0E6EA"), (1, "C0D0E0"))
    c.state("mo", "7C98C0", .33, .12, .36, .78, .016)
    c.text("SHOW-ME STATE", "304878", .5, .19, .035, .16)
    c.blob("7090C0", .48, .85, .04, .06)
    c.blob("C08058", .46, .87, .02, .03)
    c.line("A0A890", .012, (.38, .93), (.56, .9))


def mo_wave(c):  # 1997: white, green waves beside the name, pale blue-green below
    c.sky((0, "F0F2F0"), (.55, "EEF2F4"), (.8, "C0DCE4"), (1, "6CA8B8"))
    for y in (.05, .2):
        c.line("3C9888", .018, (.27, y + .03), (.4, y), (.6, y + .02), (.73, y))


def mo_bicentennial(c):  # 2018: red and blue waves above and below, a pale seal in the middle
    c.sky((0, "F4F2F2"), (1, "F0F2F4"))
    c.oval("E4E8EC", .5, .53, .16, .3)
    c.oval("D4DAE2", .5, .53, .16, .3, t=.012)
    for y, k in ((.06, "C03838"), (.1, "D06060"), (.9, "6080B0"), (.95, "3C5C98")):
        c.line(k, .022, (0, y + .04), (.2, y - .01), (.4, y + .03), (.6, y - .01), (.8, y + .03), (1, y))


def mt_outline(c):  # 2006 and 2010: blue with the white border of the state
    c.state("mt", "D8DCE8", .05, .08, .9, .95, .014)


def mt_range(c):  # 1991: pale sky over blue ranges
    c.sky((0, "88B4DC"), (.35, "E8ECF0"), (1, "F0F0F0"))
    c.land("6C84B4", (0, .45), (.15, .28), (.3, .42), (.5, .25), (.7, .45), (.85, .3), (1, .42), base=.55)
    c.land("B0C0DC", (0, .5), (.3, .45), (.6, .52), (1, .47))


def mt_plains(c):  # 2000: blue sky, gold plain
    c.sky((0, "3868B0"), (.35, "90B8E0"), (.62, "F4E8C0"), (.8, "D8B060"), (1, "B08840"))
    c.land("7080A8", (0, .5), (.2, .38), (.4, .5), (.6, .36), (.8, .5), (1, .42), base=.6)


def ne_sower(c):  # 2002: blue above, sand below, red border of the state, a wagon
    c.sky((0, "8CB8E0"), (.4, "E8EEF2"), (.75, "F0E8DC"), (1, "E0BC98"))
    c.state("ne", "D06868", .06, .14, .86, .78, .012)
    c.blob("304878", .42, .84, .05, .06)
    c.rect("304878", .36, .84, .46, .87)


def ne_cranes(c):  # 1996: sunset over the river, cranes
    c.sky((0, "A8C0E0"), (.3, "F0E0D0"), (.7, "F4D8B8"), (1, "E09058"))
    c.land("B87850", (0, .85), (.3, .8), (.6, .84), (1, .8), rough=.006)
    for x, y in ((.2, .18), (.27, .14), (.75, .2), (.82, .15)):
        c.line("485880", .012, (x - .03, y - .02), (x, y), (x + .03, y - .02))


def ne_bird(c):  # 2011: grey-blue, yellow flowers and a meadowlark left of the middle
    c.sky((0, "E4E8E8"), (.6, "D0DCE4"), (1, "A8C0D4"))
    for x, y in ((.42, .5), (.45, .62), (.39, .7), (.47, .75)):
        c.blob("E0C050", x, y, .03, .07)
    c.blob("B8A878", .49, .45, .035, .12)


def ne_seal(c):  # 2017 and 2023: pale, a figure in a lighter round behind the serial
    c.sky((0, "D0DCE8"), (.5, "EEF0EE"), (1, "C8D4E0"))
    c.oval("F2F0E4", .5, .52, .17, .33)
    c.blob("D8D4B8", .5, .52, .05, .25)


def nv_sunset(c):  # 2001: orange sky behind the name, snowy range, blue deepening towards the bottom
    c.sky((0, "E0A048"), (.16, "F0D090"), (.3, "F0ECE4"), (.62, "D4E0EC"), (1, "5C90C8"))
    peaks = (0, .22), (.1, .14), (.22, .24), (.36, .26), (.5, .24), (.64, .27), (.76, .2), (.9, .13), (1, .2)
    c.land("8898B8", *peaks, base=.36, rough=.02)
    c.land("E8EEF4", *[(x, y + .07) for x, y in peaks], base=.45, rough=.025)


def nv_sunset_blue(c):  # the same, as most cameras see it: all blue but for a narrow warm top
    c.sky((0, "D8B888"), (.12, "E8D8B8"), (.24, "C8D8E8"), (.5, "A4C4E4"), (1, "3C78BC"))
    peaks = (0, .2), (.1, .12), (.22, .22), (.5, .25), (.78, .2), (.9, .12), (1, .18)
    c.land("6484B4", *peaks, base=.36, rough=.02)
    c.land("DCE6F0", *[(x, y + .06) for x, y in peaks], base=.4, rough=.03)


def nv_silver(c):  # 1984: silver white, blue ranges, a sheep at the left
    c.sky((0, "DCE4EC"), (1, "F0F2F2"))
    c.land("A8C0D8", (0, .4), (.2, .2), (.4, .42), (.6, .24), (.8, .42), (1, .26), base=.8)
    c.land("C8D8E8", (0, .55), (.3, .4), (.5, .58), (.75, .45), (1, .55), base=.85)


def nv_home(c):  # 2016: blue sky, white glow, dark hills and yellow desert at the bottom
    c.sky((0, "4C8CC4"), (.3, "A8CCE4"), (.55, "F0F0EC"), (.74, "F4DC98"), (1, "D8A850"))
    c.land("607898", (0, .76), (.12, .68), (.3, .8), (.5, .76), (.7, .8), (.88, .68), (1, .74), base=.9)
    c.land("88885C", (0, .88), (.3, .84), (.7, .88), (1, .84), rough=.006)


def nh_oldman(c):  # 1999: pale green sky and slopes, the Old Man's grey profile at the right edge
    c.sky((0, "C4DCDC"), (.3, "E4ECEA"), (.7, "E8EEEA"), (1, "A8CCC4"))
    c.land("C4D8D4", (0, .7), (.3, .6), (.6, .72), (.8, .55), (1, .4), rough=.006)
    c.land("88B0A8", (0, .9), (.4, .86), (.7, .92), (1, .84), rough=.008)
    c.text("New", "186050", .42, .735, .085, .1, "script")
    c.shape("98A4A4", (1, .3), (.95, .33), (.93, .42), (.95, .46), (.91, .54), (.94, .6), (.93, .68), (.96, .78), (1, .8))


def nh_moose(c):  # 2001: blue sky, a moose at the left
    c.sky((0, "88B8D8"), (.4, "D8E4E8"), (.8, "B8D0B8"), (1, "80A880"))
    c.text("New", "186050", .48, .735, .085, .1, "script")
    c.blob("785848", .11, .45, .075, .12)
    c.blob("806050", .17, .33, .03, .07)
    for x in (.06, .09, .13, .16):
        c.line("6C5040", .03, (x, .5), (x, .78))
    c.line("A89070", .03, (.13, .2), (.17, .26), (.22, .2))


def nh_slopes(c):  # 1987: white, green mountains at the top
    c.sky((0, "F0F2EE"), (1, "F0F2EE"))
    c.land("88B498", (0, .3), (.3, .24), (.5, .16), (.7, .26), (1, .22), base=.36)


def nj_fade(c):  # 1992: yellow paling towards the bottom; an empty sticker box at the upper left
    c.sky((0, "F0D450"), (.25, "F2DC78"), (.7, "F4ECC4"), (1, "F4F0E0"))
    c.line("504820", .008, (.03, .05), (.14, .05), (.14, .19), (.03, .19), closed=True)


def nj_cream(c):  # the same as it fades
    c.sky((0, "E4CC78"), (.4, "ECE0B0"), (1, "ECE8DC"))
    c.line("706848", .008, (.03, .05), (.14, .05), (.14, .19), (.03, .19), closed=True)


def nm_sun(c):  # 1991: yellow, a turquoise border above
    c.rect("48A8A0", .08, .03, .92, .07)
    c.text("Land of Enchantment", "B03030", .5, .885, .055, .4, "script")
    c.line("C04030", .012, (.03, .05), (.97, .05), (.97, .95), (.03, .95), closed=True)


def nm_turquoise(c):
    c.line("E8C848", .012, (.02, .05), (.98, .05), (.98, .95), (.02, .95), closed=True)
    c.text("LAND OF ENCHANTMENT", "F0D050", .5, .885, .05, .42)


def nm_balloon(c):  # 1999: a hot air balloon at the left of a pale yellow sky
    c.sky((0, "F0D048"), (.5, "F4E490"), (1, "F0D050"))
    c.oval("48A0A0", .09, .4, .07, .2)
    c.oval("C84038", .09, .4, .035, .2)
    c.rect("806040", .075, .66, .105, .73)


def nm_chile(c):  # 2017: black, a red and a green chile in the middle
    c.line("48A048", .05, (.46, .3), (.49, .5), (.5, .68))
    c.line("D03030", .05, (.55, .3), (.52, .5), (.53, .68))


def ny_empire(c):  # 2001: blue above with white skylines, blue below
    c.sky((0, "F2F2F4"), (1, "F2F2F4"))
    c.rect("24408C", 0, 0, 1, .24)
    c.land("E8ECF2", (0, .19), (.08, .15), (.16, .11), (.22, .2), (.26, .25), base=.25)
    for x in (.76, .8, .84, .88, .92, .96):
        c.rect("E8ECF2", x, c.rng.uniform(.08, .2), x + .025, .25)
    c.rect("24408C", 0, .85, 1, 1)


def ny_gold(c):  # 2010: gold under a dark blue bar
    c.rect("20284C", 0, 0, 1, .23)
    c.line("F0E8D0", .012, (0, .235), (1, .235))


def ny_liberty(c):  # 1986: white, the red Statue of Liberty in the middle
    c.sky((0, "F2F2F0"), (1, "F2F2F0"))
    for a, b in (((.5, .36), (.48, .8)), ((.5, .36), (.52, .8)), ((.52, .4), (.54, .2))):
        c.line("C83838", .045, a, b)
    c.oval("C83838", .5, .33, .014, .035)


def ny_excelsior(c):  # 2020: white, blue outlines of mountains, falls and city along the bottom
    c.sky((0, "F4F4F4"), (1, "F2F4F6"))
    c.land("4068A8", (0, .84), (.08, .78), (.2, .86), (.35, .8), (.5, .86), (.65, .82), (.8, .84), (.9, .74), (1, .84), rough=.02)
    c.rect("E0B040", 0, .95, 1, 1)


def _flyer(c, k):
    """The Wrights' aeroplane: two wings, struts, seen small."""
    for y in (.07, .14):
        c.line(k, .016, (.5, y + .06), (.75, y - .01))
    for x in (.52, .58, .64, .7):
        c.line(k, .01, (x, .12 - (x - .5) * .2), (x, .2 - (x - .5) * .25))
    c.line(k, .012, (.6, .13), (.68, .24))


def nc_flight(c):  # 1982: white over grey-blue dunes, the flyer behind the top line
    c.sky((0, "E4ECF2"), (.5, "F0F0F0"), (.78, "E8E6E2"), (1, "C4CCD4"))
    _flyer(c, "5090D0")
    c.land("D4CCC0", (0, .74), (.3, .8), (.7, .74), (1, .8), rough=.006)
    c.land("C4CCD4", (0, .84), (.4, .8), (1, .86), rough=.01)


def nc_freedom(c):  # 2015: a quill instead, parchment below
    c.sky((0, "E8EEF4"), (.6, "F2F0EC"), (1, "E0D8C8"))
    c.line("6C94C8", .03, (.62, .24), (.7, .12), (.78, .04))


def nd_bison(c):  # 1993: blue through white to orange and gold, bison and wheat beside the name's black bar
    c.sky((0, "3478B8"), (.2, "78B0DC"), (.5, "E8E4DC"), (.72, "E8C070"), (1, "D8A838"))
    c.blob("784838", .06, .84, .05, .09)
    c.rect("C89030", 0, .92, 1, 1)
    c.rect("201C1C", .23, .785, .77, .9)
    for i in range(4):
        c.line("704818", .012, (.86 + i * .025, .92), (.9 + i * .025, .8))


def nd_sacred(c):  # 2015: blue sky, white horizon, brown plain with bison
    c.sky((0, "2C84BC"), (.25, "68B4D8"), (.6, "DCE8E4"), (.78, "E8B468"), (.88, "C0743C"), (1, "90502C"))
    c.land("B0845C", (0, .74), (.1, .66), (.2, .7), (.3, .78), (.45, .8), base=.84)
    c.blob("402C24", .12, .84, .035, .05)


def oh_aviation(c):  # 2001: red bar, white, blue bar
    c.sky((0, "F2F2F2"), (1, "F0F2F4"))
    c.rect("C42C38", 0, 0, 1, .17)
    c.shape("F2F2F4", (.36, .18), (.4, .05), (.6, .05), (.64, .18), (.55, .24), (.45, .24))
    c.line("2C5CB0", .012, (0, .18), (.36, .18), (.4, .05), (.6, .05), (.64, .18), (1, .18))
    c.text("Birthplace of Aviation", "3060B0", .5, .215, .045, .32, "serif")
    c.rect("2C5CB0", 0, .86, 1, 1)


def oh_gold(c):  # 1996: gold light from above on white
    c.sky((0, "E8C868"), (.35, "F4EAD0"), (1, "F4F2EE"))


def oh_beautiful(c):  # 2009: pale sky with a sun, green farmland and town along the bottom
    c.sky((0, "7CB4DC"), (.3, "D0E4F0"), (.75, "F0F2EC"), (1, "E8ECD8"))
    c.oval("F4D870", .9, .12, .04, .08)
    c.land("78A868", (0, .8), (.2, .76), (.5, .84), (.8, .78), (1, .82), rough=.006)
    c.rect("A83830", .08, .72, .14, .82)


def oh_pride(c):  # 2013: white full of faint words, a red wedge and blue name at the top
    c.sky((0, "F0F2F4"), (1, "EEF0F2"))
    for i in range(8):
        c.rect("E0E4E8", c.rng.uniform(0, .8), .24 + .08 * i, c.rng.uniform(.85, 1), .27 + .08 * i)
    c.shape("C43038", (.0, 0), (.32, 0), (.2, .2), (0, .2))
    c.shape("24488C", (1, 0), (.68, 0), (.8, .2), (1, .2))


def oh_sunrise(c):  # 2022: sun rays over hills and wheat, the flyer above
    c.sky((0, "6CA8D8"), (.3, "D8E4E4"), (.6, "F8ECC0"), (1, "F0E0A0"))
    for x in (-.3, 0, .3, .6, .9, 1.2):
        c.shape("F8F0D0", (.5, .7), (x, 0), (x + .12, 0))
    c.land("6C9C58", (0, .74), (.25, .8), (.5, .84), (.8, .78), (1, .72), rough=.006)
    c.line("D8B048", .04, (0, .95), (.2, .88), (.35, .96))


def ok_plain(c):
    c.sky((0, "F0F2F2"), (1, "F0F2F0"))


def ok_archer(c):  # 2009: pale sky, the dark blue archer at the left, a blue bar below
    c.sky((0, "E4ECF0"), (.45, "D4E4EC"), (.8, "B8D8E8"), (1, "A8D0E4"))
    c.shape("4C9CC4", (0, .1), (.16, .18), (.22, .4), (.24, .8), (0, .8))
    c.line("182848", .055, (.13, .34), (.1, .5), (.16, .6), (.1, .78))
    c.line("182848", .035, (.13, .42), (.2, .26))
    c.line("182848", .02, (.08, .2), (.22, .3))
    c.oval("182848", .13, .31, .018, .04)
    c.rect("20345C", 0, .8, 1, .95)
    c.rect("D8DCE0", 0, .95, 1, 1)


def ok_bird(c):  # 2017: blue sky and the white strokes of a scissor-tailed bird
    c.sky((0, "90C4E4"), (.5, "D8E8F0"), (1, "A8D0E8"))
    c.shape("F4F6F6", (0, .3), (.3, .45), (.6, .2), (1, .1), (.65, .45), (.3, .6))
    c.shape("5CA4D0", (.25, .55), (.45, .5), (.1, .95), (0, .95))


def or_tree(c):  # 1989: lilac sky, purple hills low at both sides
    c.sky((0, "B4C4DC"), (.35, "DCE2EA"), (.75, "D0D8E8"), (1, "B4BCD8"))
    c.land("9CA8CC", (0, .3), (.15, .2), (.3, .34), (.5, .4), (.7, .34), (.85, .22), (1, .3), base=.5, rough=.006)
    c.land("C8D0E4", (0, .42), (.5, .5), (1, .42), rough=.006)
    c.land("5C5C9C", (0, .9), (.1, .82), (.25, .86), (.5, .9), (.75, .86), (.9, .82), (1, .9), rough=.02)


def or_culture(c):  # cultural trust: mottled orange
    c.sky((0, "E0A080"), (.5, "ECC0A0"), (1, "D49878"))
    for _ in range(8):
        c.blob(str(c.rng.choice(["D08058", "E8B088", "C89878", "B87C60", "F0C8B0"])), c.rng.uniform(0, 1), c.rng.uniform(0, 1), .1, .15)


def or_lake(c):  # Crater Lake: light sky, deep blue water
    c.sky((0, "A8CCE8"), (.4, "E0EAF2"), (.7, "90B8DC"), (1, "2C5CA4"))
    c.land("8898B0", (0, .5), (.3, .42), (.6, .52), (1, .44), base=.6)
    c.land("3C6CB4", (0, .72), (.4, .68), (1, .74), rough=.006)


def or_salmon(c):  # pale green and pink, fish low in the middle
    c.sky((0, "C8DCD8"), (.5, "E8E0D8"), (1, "90B4B4"))
    c.blob("C88078", .52, .5, .1, .1)
    c.blob("A8A890", .45, .6, .1, .08)


def pa_bands(c):  # 2005: three bars with sharp edges
    c.sky((0, "F2F2F4"), (1, "F2F2F2"))
    c.rect("20408C", 0, 0, 1, .21)
    c.rect("F0D038", 0, .8, 1, 1)


def pa_fade(c):  # 1999: the same colours, running into each other
    c.sky((0, "1C3C90"), (.17, "3C5CA4"), (.34, "F0F2F4"), (.66, "F4F4F0"), (.84, "F0DC70"), (1, "F0CC30"))


def pa_liberty(c):  # 2024: pale, grey bell in the middle, blue line above and red below
    c.sky((0, "E8EEF4"), (.5, "F2F2F2"), (1, "E8E8EC"))
    c.rect("20408C", 0, 0, 1, .2)
    c.shape("CCD0D8", (.45, .3), (.55, .3), (.58, .68), (.42, .68))
    c.rect("A82838", 0, .82, 1, 1)


def _anchor(c, k):
    c.line(k, .022, (.085, .07), (.085, .2))
    c.oval(k, .085, .14, .025, .06, 0, 180, t=.02)
    c.line(k, .02, (.065, .1), (.105, .1))


def ri_wave(c):  # 1996: grey-blue, a great paler wave
    c.sky((0, "B4C4DC"), (.5, "BCCAE0"), (1, "B0C0D4"))
    c.land("D8E0EA", (0, .72), (.2, .62), (.36, .5), (.45, .36), (.55, .3), (.66, .4), (.8, .56), (1, .62), rough=.004)
    c.land("ACBCD0", (0, .9), (.25, .84), (.5, .66), (.62, .7), (.8, .86), (1, .9), rough=.004)
    _anchor(c, "304878")


def ri_waves(c):  # 2022: white over five pale blue waves
    c.sky((0, "E8F0F2"), (.5, "E4F0F4"), (1, "B8DCE8"))
    for i, k in enumerate(("D0E6EE", "B8DAE8", "9CCCE0", "84BCD8")):
        y = .5 + i * .11
        c.land(k, (0, y + .06), (.2, y), (.4, y + .07), (.6, y), (.8, y + .07), (1, y), rough=.004)
    _anchor(c, "487098")


def ri_osprey(c):  # conservation: blue, a grey and white bird of prey at the left on its nest
    c.sky((0, "6C94C4"), (.5, "A8C0DC"), (1, "C0D0E0"))
    c.blob("E4E4E4", .14, .38, .06, .12)
    c.blob("686868", .2, .5, .08, .14)
    c.land("383430", (0, .74), (.2, .7), (.42, .8), (.5, .95), rough=.03)


def ri_plain(c):
    c.sky((0, "F0F2F2"), (1, "F0F2F2"))
    _anchor(c, "303C80")


def sc_travel(c):  # 2008: blue, white, orange, a dark blue bar
    c.sky((0, "4C88C0"), (.2, "8CB4D8"), (.45, "F0EEEA"), (.66, "F0B888"), (.79, "E07840"), (.8, "203868"), (1, "203468"))


def sc_breathe(c):  # 2016: nearly white, blue-grey towards the edges
    c.sky((0, "C0D0E4"), (.3, "EEF0F2"), (.7, "F0F0F0"), (1, "B8C8DC"))


def sc_smiling(c):  # 1998: pale sky with palmetto, green ground
    c.sky((0, "B4CCE4"), (.4, "F0EEE8"), (.75, "ECE4DC"), (1, "A0BCB4"))


def sd_rushmore(c):  # 1997 and 2006: blue sky over the grey-white heads, white below
    c.sky((0, str(c.rng.choice(["2068B8", "3C88D0", "78ACDC"]))), (.28, "A8CCE8"), (.45, "EEF0F2"), (1, "F2F2F4"))
    c.land("C4C8CC", (0, .5), (.12, .42), (.2, .36), (.35, .4), (.5, .34), (.62, .4), (.75, .33), (.88, .42), (1, .48), base=.72, rough=.018)
    for x in (.22, .38, .55, .75):
        c.blob("A0A4AC", x, .46, .03, .08)
    c.land("F0F2F4", (0, .62), (.3, .68), (.7, .64), (1, .7), rough=.01)


def tn_hills(c):  # 2006: white sky, green hills from the middle down, the county in a white box
    c.sky((0, "ECEEE8"), (.4, "E8ECE4"), (1, "C8D8C0"))
    c.land("B8CCB0", (0, .52), (.25, .46), (.5, .56), (.8, .46), (1, .5), rough=.006)
    c.land("8CB088", (0, .68), (.3, .62), (.6, .7), (1, .6), rough=.006)
    c.land("6C9C70", (0, .82), (.4, .76), (1, .84), rough=.006)
    c.text("The Volunteer State", "303430", .62, .025, .04, .26)
    c.rect("EEF0EC", .27, .82, .73, .96)


def tn_sounds(c):  # 2000: yellow sunrise over green
    c.sky((0, "F4F0DC"), (.45, "F6E8A0"), (.75, "F0CC60"), (1, "88A868"))
    c.oval("F8DC70", .5, .75, .2, .3)
    c.land("7CA070", (0, .82), (.3, .78), (.6, .84), (1, .78), rough=.006)
    c.rect("F0EEE4", .27, .83, .73, .96)


def tn_volunteer(c):  # 1995: white, red and blue lines
    c.sky((0, "F0F0F2"), (1, "EEF0F2"))
    c.rect("B83840", 0, .2, 1, .225)
    c.rect("30488C", 0, .79, 1, .82)


def tn_navy(c):  # 2022: three stars in the middle of dark blue
    c.oval("384C78", .5, .5, .09, .2)
    for x, y in ((.5, .4), (.47, .56), (.53, .56)):
        art.star(c.img, x * c.w, y * c.h, c.h * .06, c.col("8490AC"))


def tx_skyline(c):  # 2000: night blue above, a rider, derricks and the shuttle
    c.sky((0, "2C54A0"), (.1, "6C90C4"), (.24, "E0E6EE"), (.75, "F0F0F2"), (1, "E8EEF4"))
    c.blob("F4F4F4", .5, .26, .42, .09, rough=.1)
    c.land("2C4888", (0, .84), (.2, .88), (.5, .84), (.8, .88), (1, .83), rough=.012)
    c.blob("2C4888", .49, .8, .03, .09)
    for x in (.87, .93):
        c.shape("2C4888", (x - .012, .86), (x, .7), (x + .012, .86))
    c.blob("F4F4F0", .9, .1, .012, .03)


def tx_clouds(c):  # 2009: red and blue clouds with a white star, mountains below
    c.sky((0, "6C8CC4"), (.3, "D8E0EC"), (.7, "E8ECF2"), (1, "A8BCD8"))
    c.shape("C84450", (.22, 0), (1, 0), (1, .12), (.6, .2), (.3, .12))
    c.shape("30488C", (0, 0), (.24, 0), (.2, .26), (0, .3))
    art.star(c.img, c.w * .1, c.h * .15, c.h * .12, c.col("F0F0F4"))
    c.land("4C5C98", (0, .8), (.2, .76), (.4, .84), (.7, .8), (.9, .76), (1, .8), rough=.015)


def tx_black(c):  # 2012: white, a black star at the upper right
    c.sky((0, "EEF0F2"), (1, "F0F0F2"))
    art.star(c.img, c.w * .9, c.h * .15, c.h * .1, c.col("282828"))


def tx_flag(c):  # 1990s: white
    c.sky((0, "F0F0F0"), (1, "F0F0F0"))


def ut_arch(c):  # 1992 and 2007: blue sky, the orange arch in the right half, red ground
    c.sky((0, "5C94CC"), (.3, "B4CCE0"), (.6, "F0E0CC"), (.8, "E8A468"), (1, "C46030"))
    c.land("D87840", (0, .72), (.2, .62), (.4, .68), (.7, .6), (1, .66), rough=.012)
    c.line("D06C34", .14, (.46, .84), (.45, .5), (.5, .22), (.6, .14), (.7, .24), (.78, .5), (.8, .84))
    c.land("C05C30", (0, .86), (.4, .82), (.7, .86), (1, .8), rough=.01)


def ut_skier(c):  # 1985: white, a skier in blue and red at the left
    c.sky((0, "F2F2F2"), (1, "F0F2F4"))
    c.line("3050A0", .045, (.05, .2), (.1, .34), (.07, .5))
    c.line("C83038", .04, (.08, .34), (.14, .3))
    c.line("3050A0", .022, (.02, .62), (.16, .44))


def ut_snow(c):  # 2007: deep blue sky, white slopes
    c.sky((0, "3C6CB4"), (.3, "88B0DC"), (.6, "E8EEF4"), (1, "F0F2F4"))
    c.land("E0E8F0", (0, .4), (.15, .22), (.35, .42), (.6, .26), (.8, .4), (1, .3), base=.8, rough=.02)
    c.line("C83038", .04, (.5, .4), (.53, .56))


def ut_trust(c):  # white, the flag's stripes along the left and top
    c.sky((0, "F2F2F2"), (1, "F0F0F2"))
    for i in range(4):
        c.rect("C84850" if i % 2 == 0 else "F0F0F0", .0, .72 + i * .07, 1, .79 + i * .07)
    c.rect("30488C", 0, .72, .25, .9)


def vt_green(c):  # 1990: white lines around the serial, a tree at the upper left
    k = "D8E8DC"
    c.line(k, .014, (.03, .25), (.97, .25), (.97, .8), (.03, .8), closed=True)
    c.tree(k, .09, .05, .2, .03)


def va_plain(c):
    c.sky((0, "EEF2F6"), (1, "ECF0F4"))


def va_lovers(c):  # 2014: the last line with a red heart
    c.sky((0, "F0F2F4"), (1, "F0F2F4"))
    art.disc(c.img, .535 * c.w, .9 * c.h, c.h * .03, c.col("D03038"))


def va_jamestown(c):  # 2007: a brown ship in the middle of the last line
    c.sky((0, "F0F0F0"), (1, "ECECEC"))
    c.blob("A87858", .5, .88, .03, .07)


def va_scenic(c):  # 1990s: pale blue, blue ridges
    c.sky((0, "BCD4EC"), (.5, "DCE6F2"), (1, "C8DCEC"))
    if c.rng.random() < .5:
        c.land("A0BCE0", (0, .66), (.3, .58), (.6, .68), (1, .58), rough=.006)
        c.land("88A8D4", (0, .8), (.4, .74), (1, .8), rough=.006)


def wa_rainier(c):  # 1987: nearly white, the pale blue mountain from side to side
    c.sky((0, "E0E6EE"), (.3, "E8ECF2"), (1, "DCE4EE"))
    c.land("88B0E0", (0, .74), (.14, .6), (.3, .42), (.42, .26), (.52, .22), (.62, .28), (.75, .46), (.88, .62), (1, .72), base=.86, rough=.012)
    c.shape("F0F2F6", (.42, .27), (.52, .22), (.62, .29), (.68, .42), (.6, .38), (.56, .56), (.5, .4), (.46, .58), (.4, .42), (.34, .5))
    c.land("A8C4E8", (0, .76), (.25, .68), (.5, .78), (.8, .7), (1, .78), base=.88, rough=.01)


def wi_farm(c):  # 1987: white; red sun, green hills, water and a sail right of the name, a blue line below them
    c.sky((0, "F2F2F2"), (1, "F0F0F0"))
    c.oval("E85030", .63, .13, .035, .07)
    c.land("3C9868", (.66, .2), (.74, .1), (.82, .16), (.9, .1), (.97, .18), base=.22, rough=.008)
    c.rect("4C80B8", .56, .19, .8, .215)
    c.rect("C83830", .84, .06, .89, .16)
    c.line("306048", .01, (.03, .225), (.97, .225))


def wv_band(c):  # 1995: blue bar above, gold and blue lines on both sides of the last line
    c.sky((0, "F2F2F2"), (1, "F0F0F0"))
    c.rect("24448C", 0, 0, 1, .25)
    c.rect("E0B040", 0, .25, 1, .27)
    for x0, x1 in ((0, .25), (.75, 1)):
        c.rect("E0B040", x0, .83, x1, .855)
        c.rect("24448C", x0, .87, x1, .91)


def wy_tower(c):  # 2000: blue sky, the pale column of Devils Tower right of the middle, green and tan below
    c.sky((0, "2C74B4"), (.35, "84B4D8"), (.65, "D4D4C4"), (.8, "C8B888"), (1, "8C8C60"))
    c.shape("D8CCA8", (.42, .78), (.5, .5), (.56, .12), (.84, .1), (.9, .45), (1, .7), (1, .78))
    c.land("808858", (0, .76), (.3, .72), (.6, .8), (1, .74), rough=.012)


def wy_tetons(c):  # 2009: sky, grey-white peaks, blue-green lower down
    c.sky((0, "6CA4D4"), (.3, "B4D0E8"), (.7, "C8DCE8"), (1, "5C8C78"))
    c.land("A8B8CC", (0, .55), (.15, .4), (.3, .28), (.4, .4), (.55, .2), (.65, .38), (.8, .3), (1, .55), base=.78, rough=.02)
    c.land("6C9488", (0, .76), (.4, .72), (.7, .78), (1, .74))


def wy_fence(c):  # 1993: grey-white, blue mountains and green along the bottom
    c.sky((0, "C8CCD4"), (.5, "E0E2E4"), (1, "C8D4DC"))
    c.land("5C88C4", (0, .82), (.12, .74), (.3, .84), (.5, .8), (.72, .7), (.86, .8), (1, .76), rough=.015)
    c.land("88A888", (0, .92), (.5, .88), (1, .92), rough=.006)


def wy_squaretop(c):  # 2017: blue sky, square-topped mountain mirrored in the lake
    c.sky((0, "4C8CC8"), (.4, "A8CCE8"), (.65, "D0DCE4"), (.8, "6C98B4"), (1, "3C6C84"))
    c.shape("788CA4", (.3, .66), (.42, .3), (.5, .26), (.66, .28), (.76, .66))
    c.land("508068", (0, .58), (.15, .66), (.5, .7), (.85, .64), (1, .56), base=.76)


BACKDROPS = {k: f for k, f in globals().items() if k[2:3] == "_" and callable(f)}


def draw(img, name, rng):
    """The backdrop, with the fading, reflections and shifts of colour that its print suffers."""
    img = img.copy()
    BACKDROPS[name](Canvas(img, rng))
    k = rng.uniform(.7, 1.3)  # saturation
    shift = rng.normal(0, 3, 3) + rng.normal(0, 8)
    return cv2.transform(img, np.column_stack([np.full((3, 3), (1 - k) / 3) + k * np.eye(3), shift]))
