module penstock/bench/function

go 1.21
