import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";
import { METRICS } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

interface Compose {
  services: Record<
    string,
    { image: string; ports?: string[]; volumes?: string[]; read_only?: boolean; build?: object }
  >;
  volumes: Record<string, null>;
}

const read = (...path: string[]): string => readFileSync(join(REPOSITORY_ROOT, ...path), "utf8");
const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);

describe("docker-compose.yml", () => {
  it("publishes every port on 127.0.0.1 only", () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d*:\d+$/);
  });

  it("pins every image to a version", () => {
    for (const [, { image, build }] of services) {
      if (build === undefined) expect(image).toMatch(/^[a-z/-]+:v?\d+\.\d+/);
    }
    for (const [, image] of read("docker", "Dockerfile").matchAll(/^FROM (\S+)/gm)) {
      expect(image).toMatch(/^node:24\.\d+\.\d+-/);
    }
  });

  it("runs mapping, poller, invoker, Kafka, Postgres and both functions apart, ours without root", () => {
    const names = services.map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(["mapping", "poller", "invoker"]));
    expect(names).toEqual(expect.arrayContaining(["kafka", "postgres"]));
    expect(names).toEqual(expect.arrayContaining(["http-function", "grpc-function"]));
    for (const [, service] of services) {
      if (service.build !== undefined) expect(service.read_only).toBe(true);
    }
    expect(read("docker", "Dockerfile")).toMatch(/^USER node$/m);
  });

  it("mounts only files that are there, and volumes that it declares", () => {
    for (const volume of services.flatMap(([, service]) => service.volumes ?? [])) {
      const [source = ""] = volume.split(":");
      if (source.startsWith("./")) expect(existsSync(join(REPOSITORY_ROOT, source))).toBe(true);
      else if (!source.startsWith("/")) expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it("runs the Kafka version that the tests run", () => {
    const { kafka } = compose.services;
    const pom = read("packages", "local", "kafka", "pom.xml");
    expect(pom).toContain(`<kafka.version>${kafka?.image.split(":")[1]}</kafka.version>`);
  });
});

describe("the Grafana dashboard", () => {
  it("asks for metrics that there are", () => {
    const names = Object.values(METRICS).flatMap(({ name, kind }) => {
      const base = name.replaceAll(".", "_");
      if (kind === "counter") return [`${base}_total`];
      return kind === "histogram" ? [`${base}_bucket`, `${base}_count`] : [base];
    });
    const dashboard = read("docker", "grafana", "dashboards", "penstock.json");
    const asked = new Set(dashboard.match(/penstock_[a-z_]+/g));
    expect(asked.size).toBeGreaterThan(10);
    for (const name of asked) expect(names).toContain(name);
  });
});
