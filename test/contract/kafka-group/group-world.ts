export * from "../../record-source/group-world.ts";
