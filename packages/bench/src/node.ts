export * from "@ocppj/node";
