export * from "@ocppj/core";
