package engine
import ("testing";"fmt";"time";"github.com/open-policy-agent/opa/v1/ast";"github.com/open-policy-agent/opa/v1/topdown";"context")
func TestPer(t *testing.T){
	r:=newPack(t); in:=largeInput(t)
	doc,_:=parseInput(in)
	ctx:=context.Background()
	eval:=func(ref ast.Ref) time.Duration{
		best:=time.Hour
		for range 60 {
			txn,_:=r.store.NewTransaction(ctx)
			s:=time.Now()
			q:=topdown.NewQuery(ast.NewBody(ast.Equality.Expr(ast.NewTerm(ref), ast.VarTerm("x")))).WithCompiler(r.compiler).WithStore(r.store).WithTransaction(txn).WithInput(doc).WithStrictBuiltinErrors(true)
			q.Run(ctx)
			best=min(best,time.Since(s))
			r.store.Abort(ctx,txn)
		}
		return best
	}
	for _,e:=range r.entries { fmt.Println(e.ID, eval(e.ref)) }
	for _,s:=range []string{"data.ocjail.lib.watched.reached","data.ocjail.lib.watched.secrets","data.ocjail.lib.mounts.shown","data.ocjail.lib.mounts.writable","data.ocjail.results.found","data.ocjail.rules.exec.host_executed_writable.writable","data.ocjail.rules.exec.host_executed_writable.groups"} { fmt.Println(s, eval(ast.MustParseRef(s))) }
	best:=time.Hour
	for range 50 { s:=time.Now(); parseInput(in); best=min(best,time.Since(s)) }
	fmt.Println("input",best)
	best=time.Hour
	for range 50 { s:=time.Now(); r.Evaluate(ctx,in); best=min(best,time.Since(s)) }
	fmt.Println("evaluate",best)
	best=time.Hour
	for range 50 { s:=time.Now(); newPack(t); best=min(best,time.Since(s)) }
	fmt.Println("new",best)
}
