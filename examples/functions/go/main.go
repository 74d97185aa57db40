// Two example functions in one program: HTTP and gRPC.
//
//	go run . http 127.0.0.1:7494
//	go run . grpc 127.0.0.1:7495
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"

	functionv1 "penstock.example/functions/gen/penstock/function/v1"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: functions http|grpc <host:port>")
	}
	listener, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", os.Args[2])
	if os.Args[1] == "http" {
		log.Fatal(http.Serve(listener, http.HandlerFunc(serveHTTP)))
	}
	server := grpc.NewServer()
	functionv1.RegisterKafkaFunctionServiceServer(server, grpcFunction{})
	log.Fatal(server.Serve(listener))
}
