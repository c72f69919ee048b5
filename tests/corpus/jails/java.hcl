why     = "Java: Gradle's wrapper in the project, ~/.m2 read-only as a mirror"
machine = "fedora"
files   = { "~/.m2/repository/" = "" }
setup   = "git init -q && mkdir -p gradle/wrapper && touch gradlew gradle/wrapper/gradle-wrapper.jar build.gradle && git add . && git commit -qm start"
like    = "default-debian"
profile = "opencode"
add     = ["readonly ~/.m2/repository"]
