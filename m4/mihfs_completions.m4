# MIHFS_COMPLETION_DIR(shell, default)
# ------------------------------------
# --with-SHELL-completion-dir=DIR|no; sets SHELLcompletiondir and the
# conditional HAVE_SHELL_COMPLETION. The default lies below the prefix, where
# all three shells look if the prefix is /usr or /usr/local.
AC_DEFUN([MIHFS_COMPLETION_DIR], [
AC_ARG_WITH([$1-completion-dir],
	[AS_HELP_STRING([--with-$1-completion-dir=DIR],
		[where the completion for $1 goes, or "no" (DATADIR/$2)])],
	[], [with_$1_completion_dir=yes])
AS_CASE([$with_$1_completion_dir],
	[yes], [$1completiondir='$(datadir)/$2'],
	[no], [$1completiondir=],
	[$1completiondir=$with_$1_completion_dir])
AC_SUBST([$1completiondir])
AM_CONDITIONAL(m4_toupper([HAVE_$1_COMPLETION]), [test -n "$$1completiondir"])
])

# MIHFS_COMPLETIONS
# -----------------
AC_DEFUN([MIHFS_COMPLETIONS], [
MIHFS_COMPLETION_DIR([bash], [bash-completion/completions])
MIHFS_COMPLETION_DIR([zsh], [zsh/site-functions])
MIHFS_COMPLETION_DIR([fish], [fish/vendor_completions.d])
])
