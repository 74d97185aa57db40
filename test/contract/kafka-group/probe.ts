export * from "../../record-source/probe.ts";
