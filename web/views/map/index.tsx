import type { View } from "..";

export default function Start(p: View) {
  return <p>{p.catalogue.release?.release_id}</p>;
}
