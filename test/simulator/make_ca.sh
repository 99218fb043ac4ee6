#!/bin/sh
# A throw-away certificate authority and a server certificate for localhost, 127.0.0.1 and 0.0.0.0:
#   make_ca.sh DIR   writes DIR/ca.pem (give it to clients), DIR/server.pem and DIR/server.key (give them to the simulator)
set -eu
dir=${1:?usage: make_ca.sh DIR}
mkdir -p "$dir"
cd "$dir"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -sha256 -days 30 -subj "/CN=tradesync simulator CA" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
openssl ecparam -name prime256v1 -genkey -noout -out server.key
openssl req -new -key server.key -subj "/CN=localhost" -out server.csr
printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0.0.0.0" "basicConstraints=CA:FALSE" \
    "keyUsage=digitalSignature" "extendedKeyUsage=serverAuth" > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -sha256 -extfile server.ext \
    -out server.pem 2>/dev/null
rm -f server.csr server.ext ca.srl
chmod 600 ca.key server.key
