// Where the pointer is: CGCS2000 in degrees, and in metres of EPSG:4549 (Gauss-Krueger, 3-degree, meridian 120 E).

// GRS80, the ellipsoid of CGCS2000 (GB/T 18522-2020 differs from it below 0.1 mm)
const A = 6378137;
const F = 1 / 298.257222101;
const E2 = F * (2 - F);
const MERIDIAN = 120;
const FALSE_EASTING = 500_000;
const RAD = Math.PI / 180;

/** Length of the meridian from the equator to a latitude (radians), metres; to e⁸, < 0.1 mm here. */
function meridian(phi: number): number {
  const [e4, e6, e8] = [E2 ** 2, E2 ** 3, E2 ** 4];
  const a0 = 1 - E2 / 4 - (3 * e4) / 64 - (5 * e6) / 256 - (175 * e8) / 16384;
  const a2 = (3 / 8) * (E2 + e4 / 4 + (15 * e6) / 128 + (35 * e8) / 512);
  const a4 = (15 / 256) * (e4 + (3 * e6) / 4 + (35 * e8) / 64);
  const a6 = (35 / 3072) * (e6 + (5 * e8) / 4);
  return A * (a0 * phi - a2 * Math.sin(2 * phi) + a4 * Math.sin(4 * phi) - a6 * Math.sin(6 * phi));
}

/** [easting, northing] in metres of a longitude and latitude in degrees. For 117–123° E: elsewhere it is not the zone. */
export function metres(lon: number, lat: number): [number, number] {
  const phi = lat * RAD;
  const [s, c, tan] = [Math.sin(phi), Math.cos(phi), Math.tan(phi)];
  const nu = A / Math.sqrt(1 - E2 * s * s);
  const eta2 = (E2 / (1 - E2)) * c * c;
  const t2 = tan * tan;
  const l = (lon - MERIDIAN) * RAD * c;
  const e = 1 + (l * l * (1 - t2 + eta2)) / 6 + (l ** 4 * (5 - 18 * t2 + t2 * t2 + 14 * eta2 - 58 * t2 * eta2)) / 120;
  const n = 1 / 2 + (l * l * (5 - t2 + 9 * eta2 + 4 * eta2 * eta2)) / 24 + (l ** 4 * (61 - 58 * t2 + t2 * t2)) / 720;
  return [FALSE_EASTING + nu * l * e, meridian(phi) + nu * tan * l * l * n];
}

/** The line under the map. */
export function told(lon: number, lat: number): string {
  const degrees = `CGCS2000 ${lon.toFixed(5)}°E ${lat.toFixed(5)}°N`;
  if (lon < 118.5 || lon > 121.5) return degrees;
  const [east, north] = metres(lon, lat);
  return `${degrees} · EPSG:4549 E ${east.toFixed(1)} m N ${north.toFixed(1)} m`;
}
